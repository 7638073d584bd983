import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { Playground } from "./Playground";
import "graphiql/style.css";
import "./playground.css";

const root = document.getElementById("root");
if (root === null) {
  throw new Error("playground.html has no element #root");
}
createRoot(root).render(
  <StrictMode>
    <Playground />
  </StrictMode>,
);
