import { later } from "./ui/lazy";

// The editor is by far the largest part: nobody waits for it who opens the page to read.
export const [Writer, loadWriter] = later(() => import("./write/Writer").then((module) => module.Writer));
export const [Conflicts] = later(() => import("./account/Conflicts").then((module) => module.Conflicts));
export const [Import] = later(() => import("./exchange/Import").then((module) => module.Import));
export const [Connections] = later(() => import("./connect/Connections").then((module) => module.Connections));
export const [Publish] = later(() => import("./connect/Publish").then((module) => module.Publish));
export const [Inbox] = later(() => import("./exchange/Inbox").then((module) => module.Inbox));
export const [Seen] = later(() => import("./account/Seen").then((module) => module.Seen));
