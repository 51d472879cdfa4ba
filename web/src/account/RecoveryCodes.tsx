import type { ComponentChildren } from "preact";

/** Codes that are shown once, to be kept on paper. */
export function CodesOnPaper({ title, codes, done, children }: { title: string; codes: string[]; done: () => void; children: ComponentChildren }) {
  return (
    <section class="codes" aria-labelledby="codes-title">
      <h1 id="codes-title" tabIndex={-1}>{title}</h1>
      <p>{children}</p>
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

export function RecoveryCodes({ codes, done }: { codes: string[]; done: () => void }) {
  return (
    <CodesOnPaper title="Your recovery codes" codes={codes} done={done}>
      If you lose your password, one of them brings your journal back; without password and codes nobody can, not even whoever runs the server. Each works once. They are not shown again.
    </CodesOnPaper>
  );
}

export function FactorCodes({ codes, done }: { codes: string[]; done: () => void }) {
  return (
    <CodesOnPaper title="Your factor codes" codes={codes} done={done}>
      If you lose the phone or the key, one of them lets you in, with your password. Each works once, and opens nothing by itself. Keep them on paper, apart from the recovery codes: both papers together stand for password and factor. They are not shown again.
    </CodesOnPaper>
  );
}
