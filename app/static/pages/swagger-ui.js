"use strict";

const main = document.getElementById("main");

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", paint);
paint();

const newKey = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

// A key of its own for each operation on each visit: with one example for all, the second order of a day would be
// the first one's answer again. A declined payment uses its key up, so the next attempt finds another.
const FreshKeys = () => ({
  statePlugins: {
    spec: {
      wrapActions: {
        updateJsonSpec: (original) => (description) => {
          for (const operation of Object.values(description.paths ?? {}).flatMap(Object.values)) {
            for (const parameter of operation.parameters ?? []) {
              if (parameter.name === "Idempotency-Key") parameter.example = newKey();
            }
          }
          return original(description);
        },
        setResponse: (original, { specActions, specSelectors }) => (path, method, response) => {
          const set = original(path, method, response);
          if (response.err?.status === 402) {
            const parameters = specSelectors.specResolvedSubtree(["paths", path, method, "parameters"]);
            const key = parameters.find((parameter) => parameter.get("name") === "Idempotency-Key");
            specActions.changeParamByIdentity([path, method], key, newKey());
          }
          return set;
        },
      },
    },
  },
});

// Of several fields that ask for the focus the last one gets it: a guest's token, far below the name and the password.
const NameFirst = () => ({
  wrapComponents: {
    authorizationPopup: (Popup, { React }) =>
      class extends React.Component {
        componentDidMount() {
          document.getElementById("oauth_username")?.focus();
        }

        render() {
          return React.createElement(Popup, this.props);
        }
      },
  },
});

window.ui = SwaggerUIBundle({
  url: new URL(main.dataset.openapi, document.baseURI).href,
  domNode: main,
  layout: "BaseLayout",
  deepLinking: true,
  defaultModelsExpandDepth: 0, // all schemas behind one click: each operation shows its own
  displayRequestDuration: true,
  docExpansion: "list", // the operations in the order of the document: no operationsSorter, no tagsSorter
  filter: true,
  persistAuthorization: true,
  plugins: [FreshKeys, NameFirst],
  syntaxHighlight: { activated: true, theme: "nord" },
  tryItOutEnabled: true,
  validatorUrl: null, // the document is not sent to anyone for a badge
});
