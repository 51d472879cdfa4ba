const two = (n: number) => String(n).padStart(2, "0");

export const dayOf = (date: Date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
export const today = () => dayOf(new Date());

/** The clock and its offset, as RFC 3339 has them: a diary's day is the day where it was written. */
export function stamped(date: Date): string {
  const offset = -date.getTimezoneOffset();
  const away = Math.abs(offset);
  const sign = offset < 0 ? "-" : "+";
  return `${dayOf(date)}T${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}${sign}${two(Math.floor(away / 60))}:${two(away % 60)}`;
}

export const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The clock of an entry's own place, as an `<input type="datetime-local">` wants it. */
export const clockOf = (stamp: string) => (stamp.length > 10 ? stamp.slice(0, 16) : `${stamp}T00:00`);
export const hasTime = (stamp: string) => stamp.length > 10;

/** A day without its zone, at noon so that no summer time moves it. */
const noon = (day: string) => new Date(`${day.slice(0, 10)}T12:00:00`);

const format = (options: Intl.DateTimeFormatOptions) => {
  const formatter = new Intl.DateTimeFormat(undefined, options);
  return (day: string) => formatter.format(noon(day));
};

export const longDay = format({ weekday: "long", day: "numeric", month: "long", year: "numeric" });
export const shortDay = format({ day: "numeric", month: "short", year: "numeric" });
export const weekday = format({ weekday: "short" });
export const monthYear = format({ month: "long", year: "numeric" });
export const monthName = format({ month: "short" });
export const dayMonth = format({ day: "numeric", month: "long" });

const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
/** The time that the clock showed where the entry was written. */
export const timeOf = (stamp: string) => (hasTime(stamp) ? clock.format(new Date(stamp.slice(0, 16))) : "");

const whenFormat = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric", hour: "numeric", minute: "2-digit" });
/** An instant, in the reader's own zone. */
export const instant = (stamp: string) => whenFormat.format(new Date(stamp));

export function ago(stamp: string): string {
  const seconds = Math.round((Date.now() - Date.parse(stamp)) / 1000);
  if (seconds < 60) return "just now";
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 60 * 24) return `${Math.round(minutes / 60)} h ago`;
  return instant(stamp);
}
