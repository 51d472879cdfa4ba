// A browser's half of encrypted metrics, with SEAL compiled to WebAssembly, run under Node.
//
//   node metrics.js encrypt SECRET VALUE...   a ciphertext of each value, one base64 line each
//   node metrics.js decrypt SECRET            the first slot of each ciphertext in base64 lines on standard input
//   node metrics.js context                   a secret key and a serialised public context, in base64 lines
//   node metrics.js version
//
// SECRET is the file of a serialised SEAL secret key. A metric travels as TenSEAL's message: three fields.
'use strict'
const fs = require('node:fs')
const loadSeal = require('node-seal')

const SETS = {
  'ckks-4096': { degree: 4096, bits: [54, 55], scale: 2 ** 30 },
  'ckks-8192': { degree: 8192, bits: [60, 40, 40, 60], scale: 2 ** 40 }
}

function varint (value) {
  const out = []
  while (value > 127) {
    out.push((value & 127) | 128)
    value = Math.floor(value / 128)
  }
  return Buffer.from([...out, value])
}

function field (number, bytes) {
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes])
}

function double (number, value) {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleLE(value)
  return Buffer.concat([varint(number * 8 + 1), bytes])
}

function wrapped (ciphertext, set) {
  return Buffer.concat([field(1, varint(1)), field(2, Buffer.from(ciphertext, 'base64')), double(3, set.scale)])
}

function unwrapped (message) {
  let position = 0
  const number = () => {
    let value = 0
    for (let shift = 1; ; shift *= 128) {
      const byte = message[position++]
      value += (byte & 127) * shift
      if (byte < 128) return value
    }
  }
  while (position < message.length) {
    const tag = number()
    const length = tag % 8 === 1 ? 8 : number()
    if (tag === 18) return message.subarray(position, position + length)
    position += length
  }
  throw new Error('no ciphertext in the message')
}

async function main ([command, name, secretFile, ...values]) {
  const seal = await loadSeal()
  if (command === 'version') return console.log(seal.Version)
  const set = SETS[name]
  const parameters = seal.EncryptionParameters(seal.SchemeType.ckks)
  parameters.setPolyModulusDegree(set.degree)
  parameters.setCoeffModulus(seal.CoeffModulus.Create(set.degree, Int32Array.from(set.bits)))
  const context = seal.Context(parameters, true, seal.SecurityLevel.tc128)
  const encoder = seal.CKKSEncoder(context)
  if (command === 'context') {
    const generator = seal.KeyGenerator(context)
    const publicKey = Buffer.from(generator.createPublicKey().save(), 'base64')
    const publicPart = Buffer.concat([field(1, publicKey), varint(2 * 8), varint(7), double(3, set.scale)])
    console.log(generator.secretKey().save())
    const saved = Buffer.from(parameters.save(), 'base64')
    return console.log(Buffer.concat([field(1, saved), field(2, publicPart)]).toString('base64'))
  }
  const secret = seal.SecretKey()
  secret.load(context, fs.readFileSync(secretFile).toString('base64'))
  if (command === 'encrypt') {
    const publicKey = seal.KeyGenerator(context, secret).createPublicKey()
    const encryptor = seal.Encryptor(context, publicKey)
    for (const value of values) {
      const slots = new Float64Array(set.degree / 2).fill(Number(value))
      const ciphertext = encryptor.encrypt(encoder.encode(slots, set.scale))
      console.log(wrapped(ciphertext.save(), set).toString('base64'))
    }
  } else {
    const decryptor = seal.Decryptor(context, secret)
    for (const line of fs.readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
      const ciphertext = seal.CipherText()
      ciphertext.load(context, unwrapped(Buffer.from(line, 'base64')).toString('base64'))
      console.log(encoder.decode(decryptor.decrypt(ciphertext))[0])
    }
  }
}

main(process.argv.slice(2))
