import { told } from "../api";
import { say } from "../state";
import type { Attachment } from "../types";
import { Icon } from "../ui/icons";
import { plural } from "../words";
import type { Writing } from "./saving";

/** What is attached, as small pictures under the text. */
export function Files({ writing, uploading }: { writing: Writing; uploading: number }) {
  const all = writing.attachments.value;
  if (!all.length && !uploading) return null;
  return (
    <section class="files" aria-label="Attachments">
      {all.map((one) => (
        <figure key={one.id} class="file">
          <Thumb entryId={writing.entryId!} attachment={one} />
          <figcaption title={one.name}>
            <bdi>{one.name}</bdi>
          </figcaption>
          <button class="chip-off" aria-label={`Remove ${one.name}`} onClick={() => writing.detach(one).catch((error) => say(told(error)))}>
            ×
          </button>
        </figure>
      ))}
      {uploading ? <p class="dim" role="status">Adding {plural(uploading, "file")} …</p> : null}
    </section>
  );
}

export function Thumb({ entryId, attachment, alt = "" }: { entryId: string; attachment: Attachment; alt?: string }) {
  if (attachment.has_thumbnail) {
    return <img class="thumb" src={`./api/entries/${entryId}/attachments/${attachment.id}/thumbnail`} alt={alt} loading="lazy" decoding="async" />;
  }
  return (
    <span class="thumb no-picture">
      <Icon name="file" size={24} />
    </span>
  );
}
