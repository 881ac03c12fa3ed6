import { render } from "preact";
import { Page } from "./page.tsx";
import { findSession } from "./store/session.ts";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/parts.css";
import "./styles/screens.css";
import "./styles/map.css";
import "./styles/addresses.css";
import "./styles/plan.css";

const root = document.getElementById("page");
if (root !== null) render(<Page />, root);
void findSession();
