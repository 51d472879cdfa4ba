import "./styles/fonts.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/write.css";
import "./styles/read.css";
import "./styles/account.css";
import "./styles/print.css";
import { render } from "preact";
import { App } from "./App";
import { locked, post } from "./api";
import { watchPresence } from "./presence";

const place = document.getElementById("app")!;
place.replaceChildren();
watchPresence(() => locked.value || post("/present").catch(() => {}));
render(<App />, place);
