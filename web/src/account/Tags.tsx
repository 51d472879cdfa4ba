import { put, told } from "../api";
import { back } from "../router";
import { say, tags } from "../state";
import type { TagList } from "../types";
import { Icon } from "../ui/icons";
import { TagName } from "../ui/TagName";
import { plural } from "../words";

/** The tags, each with the colour that it has on all devices. */
export function Tags() {
  const recolor = (name: string, color: string) =>
    put<TagList>("/tags/color", { name, color }).then(
      (found) => (tags.value = found.tags),
      (error) => say(told(error)),
    );
  return (
    <div class="tags-screen">
      <div class="bar">
        <button class="quiet icon-button" onClick={() => back("account")} aria-label="Back">
          <Icon name="back" />
        </button>
        <h1 tabIndex={-1} class="small-title">Colours of tags</h1>
      </div>
      {tags.value.length ? (
        <ul class="tag-colors">
          {tags.value.map((tag) => (
            <li key={tag.name}>
              <label>
                <input type="color" value={tag.color} onChange={(event) => recolor(tag.name, event.currentTarget.value)} />
                <TagName name={tag.name} color={tag.color} />
              </label>
              <span class="dim small">{plural(tag.count, "entry", "entries")}</span>
            </li>
          ))}
        </ul>
      ) : (
        <p class="nothing">No entry has a tag yet.</p>
      )}
    </div>
  );
}
