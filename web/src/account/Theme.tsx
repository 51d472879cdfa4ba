import { signal } from "@preact/signals";

type Choice = "auto" | "light" | "dark";
const stored = document.documentElement.dataset.theme as Choice | undefined;
const theme = signal<Choice>(stored ?? "auto");

function choose(choice: Choice) {
  theme.value = choice;
  if (choice === "auto") {
    delete document.documentElement.dataset.theme;
    localStorage.removeItem("theme");
  } else {
    document.documentElement.dataset.theme = choice;
    localStorage.setItem("theme", choice);
  }
}

export function Theme() {
  return (
    <fieldset class="choice">
      <legend>Theme</legend>
      {(["auto", "light", "dark"] as const).map((one) => (
        <label key={one}>
          <input type="radio" name="theme" checked={theme.value === one} onChange={() => choose(one)} />
          <span>{{ auto: "As the system", light: "Light", dark: "Dark" }[one]}</span>
        </label>
      ))}
    </fieldset>
  );
}
