import { useSignal } from "@preact/signals";
import { useId, useRef } from "preact/hooks";
import { colorOf, tags as known } from "../state";
import { TagName } from "../ui/TagName";

const alike = (a: string, b: string) => a.localeCompare(b, undefined, { sensitivity: "accent" }) === 0;

/** Tags as chips, with completion of those there are. */
export function TagsField({ tags, change }: { tags: string[]; change: (tags: string[]) => void }) {
  const text = useSignal("");
  const at = useSignal(0);
  const open = useSignal(false);
  const list = useId();
  const field = useRef<HTMLInputElement>(null);

  const wanted = text.value.trim().replace(/^#/, "").toLocaleLowerCase();
  const offered = open.value
    ? known.value
        .filter((tag) => !tags.some((one) => alike(one, tag.name)) && tag.name.toLocaleLowerCase().includes(wanted))
        .sort((a, b) => Number(b.name.toLocaleLowerCase().startsWith(wanted)) - Number(a.name.toLocaleLowerCase().startsWith(wanted)) || b.count - a.count)
        .slice(0, 7)
    : [];

  const add = (name: string) => {
    const fresh = name.trim().replace(/^#/, "");
    text.value = "";
    at.value = 0;
    if (fresh && !tags.some((one) => alike(one, fresh))) change([...tags, fresh]);
  };

  const onKey = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (event.key === "Enter" || event.key === "," || (event.key === "Tab" && text.value.trim())) {
      event.preventDefault();
      const exact = offered.find((tag) => alike(tag.name, wanted));
      const chosen = event.key === "," ? exact : (offered[at.value] ?? exact);
      add(wanted && chosen ? chosen.name : at.value > 0 && chosen ? chosen.name : text.value);
    } else if (event.key === "Backspace" && !text.value && tags.length) change(tags.slice(0, -1));
    else if (event.key === "ArrowDown" && offered.length) {
      event.preventDefault();
      at.value = (at.value + 1) % offered.length;
    } else if (event.key === "ArrowUp" && offered.length) {
      event.preventDefault();
      at.value = (at.value + offered.length - 1) % offered.length;
    } else if (event.key === "Escape" && open.value && (text.value || offered.length)) {
      event.preventDefault();
      event.stopPropagation();
      open.value = false;
      text.value = "";
    }
  };

  return (
    <span class="tags-field" role="group" aria-label="Tags">
      {tags.map((name) => (
        <span class="chip" key={name}>
          <TagName name={name} />
          <button class="chip-off" aria-label={`Remove the tag ${name}`} onClick={() => change(tags.filter((one) => one !== name))}>
            ×
          </button>
        </span>
      ))}
      <span class="completing">
        <input
          ref={field}
          class="tag-input"
          type="text"
          dir="auto"
          autocomplete="off"
          placeholder={tags.length ? "Add" : "Add tags"}
          aria-label="Add a tag"
          role="combobox"
          aria-expanded={offered.length > 0}
          aria-controls={list}
          aria-activedescendant={offered.length ? `${list}-${at.value}` : undefined}
          aria-autocomplete="list"
          value={text.value}
          onFocus={() => (open.value = true)}
          onBlur={() => {
            add(text.value);
            open.value = false;
          }}
          onInput={(event) => {
            open.value = true;
            at.value = 0;
            text.value = event.currentTarget.value;
          }}
          onKeyDown={onKey}
        />
        {offered.length ? (
          <ul class="offered" role="listbox" id={list} aria-label="Tags">
            {offered.map((tag, index) => (
              <li
                key={tag.name}
                id={`${list}-${index}`}
                role="option"
                aria-selected={index === at.value}
                onMouseDown={(event) => {
                  event.preventDefault();
                  add(tag.name);
                  field.current?.focus();
                }}
              >
                <TagName name={tag.name} color={colorOf(tag.name)} /> <span class="dim">{tag.count}</span>
              </li>
            ))}
          </ul>
        ) : null}
      </span>
    </span>
  );
}
