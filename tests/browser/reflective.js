// An application with node-seal and nothing of TenSEAL's, as people wrote them for the first backend: it registers, raises
// its tier, registers SEAL's public key, uploads SEAL's ciphertexts, and loads and decrypts what the server answers.
//
//   node reflective.js BASE...    for each base URL one line of JSON: what was answered, and what came out
'use strict'
const { randomUUID } = require('node:crypto')
const loadSeal = require('node-seal')

const VALUES = [500, -12.25, 731.5]

function client (base) {
  let token
  return async function call (method, path, body) {
    const headers = { 'Content-Type': 'application/json' }
    if (token) headers.Authorization = `Bearer ${token}`
    const answer = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) })
    const said = await answer.json()
    token = token || said.access_token
    return { status: answer.status, ...said }
  }
}

function prepare (seal, params) {
  const parameters = seal.EncryptionParameters(seal.SchemeType.ckks)
  parameters.setPolyModulusDegree(params.poly_modulus_degree)
  const sizes = Int32Array.from(params.coeff_mod_bit_sizes)
  parameters.setCoeffModulus(seal.CoeffModulus.Create(params.poly_modulus_degree, sizes))
  const context = seal.Context(parameters, true, seal.SecurityLevel.tc128)
  const generator = seal.KeyGenerator(context)
  const publicKey = generator.createPublicKey()
  const encoder = seal.CKKSEncoder(context)
  const encryptor = seal.Encryptor(context, publicKey, generator.secretKey())
  const decryptor = seal.Decryptor(context, generator.secretKey())
  return {
    publicKey: publicKey.save(),
    secretKey: generator.secretKey().save(),
    seededKey: generator.createPublicKeySerializable().save(),
    seeded: (value) =>
      encryptor.encryptSymmetricSerializable(encoder.encode(Float64Array.from([value]), params.scale)).save(),
    encrypt: (value, compression) =>
      encryptor.encrypt(encoder.encode(Float64Array.from([value]), params.scale)).save(compression),
    decrypt: (saved) => {
      const ciphertext = seal.CipherText()
      ciphertext.load(context, saved)
      return encoder.decode(decryptor.decrypt(ciphertext))[0]
    }
  }
}

async function story (seal, base) {
  const call = client(base)
  const { context_params: params } = await call('GET', '/encryption/context')
  const keys = prepare(seal, params)
  const privacy = (key) => call('PUT', '/users/me/privacy', {
    privacy_tier: 'full_sync', consent_timestamp: '2024-01-01T00:00:00Z', he_public_key: key
  })
  const compressions = [undefined, seal.ComprModeType.none, seal.ComprModeType.zlib]
  const metrics = VALUES.map((value, index) => ({
    metric_type: 'word_count',
    encrypted_value: keys.encrypt(value, compressions[index]),
    timestamp: `2024-0${index + 1}-15T12:00:00Z`
  }))
  const aggregate = async (operation, fields) =>
    call('POST', '/encryption/aggregate', { metric_type: 'word_count', operation, ...fields })

  const registered = await call('POST', '/auth/register', { email: `${randomUUID()}@example.org`, password: randomUUID() })
  const secret = await privacy(keys.secretKey)
  const halfKey = await privacy(keys.seededKey)
  const raised = await privacy(null)
  const early = await call('POST', '/encryption/metrics', { metrics })
  const keyed = await privacy(keys.publicKey)
  const half = await call('POST', '/encryption/metrics', {
    metrics: [...metrics, { ...metrics[0], encrypted_value: keys.seeded(1) }]
  })
  const uploaded = await call('POST', '/encryption/metrics', { metrics })
  const sum = await aggregate('sum')
  const average = await aggregate('average')
  const recent = await aggregate('sum', { time_range: { start: '2024-02-01T00:00:00Z', end: '2024-04-01T00:00:00Z' } })
  const months = await aggregate('sum', { bucket: 'month' })
  return {
    registered: [registered.status, registered.privacy_tier],
    secret: [secret.status, secret.code],
    halfKey: [halfKey.status, halfKey.code, halfKey.reason],
    half: [half.status, half.code, half.item, half.reason],
    raised: [raised.status, raised.current_tier, raised.he_public_key_registered, raised.sync_enabled_at],
    early: [early.status, early.code],
    keyed: [keyed.status, keyed.current_tier, keyed.he_public_key_registered],
    uploaded: [uploaded.status, uploaded.success, uploaded.details.count],
    sum: [sum.count, sum.divisor, keys.decrypt(sum.encrypted_result)],
    average: [average.count, average.divisor, keys.decrypt(average.encrypted_result)],
    recent: [recent.count, recent.divisor, keys.decrypt(recent.encrypted_result)],
    months: months.buckets.map((each) => keys.decrypt(each.encrypted_result))
  }
}

async function main (bases) {
  const seal = await loadSeal()
  for (const base of bases) console.log(JSON.stringify(await story(seal, base)))
}

main(process.argv.slice(2))
