"use strict";

const main = document.getElementById("main");

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", paint);
paint();

window.ui = SwaggerUIBundle({
  url: new URL(main.dataset.openapi, document.baseURI).href,
  domNode: main,
  layout: "BaseLayout",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list", // the operations in the order of the document: no operationsSorter, no tagsSorter
  filter: true,
  persistAuthorization: true,
  syntaxHighlight: { activated: true, theme: "nord" },
  tryItOutEnabled: true,
  validatorUrl: null, // the document is not sent to anyone for a badge
});
