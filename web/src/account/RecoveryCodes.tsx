/** Codes that are shown once, to be kept on paper. */
export function RecoveryCodes({ codes, done }: { codes: string[]; done: () => void }) {
  return (
    <section class="codes" aria-labelledby="codes-title">
      <h1 id="codes-title" tabIndex={-1}>Your recovery codes</h1>
      <p>
        If you lose your password, one of them brings your journal back; without password and codes nobody can, not even whoever runs the server. Each works once. They are not shown again.
      </p>
      <ol class="code-list">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ol>
      <p class="row no-print">
        <button onClick={() => print()}>Print</button>
        <button class="primary" onClick={done}>
          I have kept them
        </button>
      </p>
    </section>
  );
}
