"use strict";

const REFRESH_MS = 2000;
const list = document.getElementById("list");
const reader = document.getElementById("reader");
const to = document.getElementById("to");
let shown = "";
let selected = null;

function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function linked(text) {
  // Odd parts are the addresses that the split has captured.
  const parts = text.split(/(https?:\/\/[^\s<>"]+)/);
  const nodes = parts.map((part, i) =>
    i % 2 ? element("a", { href: part, textContent: part, target: "_blank", rel: "noopener" }) : part);
  return element("pre", {}, ...nodes);
}

function framed(html) {
  // Scripts of a mail never run; its links open in a tab of their own.
  const frame = element("iframe", { title: "The mail as HTML", srcdoc: `<base target="_blank">${html}` });
  frame.setAttribute("sandbox", "allow-popups allow-popups-to-escape-sandbox");
  return frame;
}

function read(message) {
  selected = message.id;
  for (const button of list.querySelectorAll("button")) {
    button.setAttribute("aria-current", String(button.dataset.id === selected));
  }
  const html = message.html === null ? null : framed(message.html);
  const text = message.text === null ? null : linked(message.text);
  const body = element("div", { className: "body" }, html ?? text ?? "(no text)");
  const tabs = element("div", { className: "tabs" });
  if (html && text) {
    tabs.append(
      element("button", { className: "secondary", textContent: "HTML", onclick: () => body.replaceChildren(html) }),
      element("button", { className: "secondary", textContent: "Text", onclick: () => body.replaceChildren(text) }));
  }
  reader.replaceChildren(
    element("h1", { textContent: message.subject || "(no subject)" }),
    element("p", { className: "meta", textContent: `${message.from} → ${message.to}` }),
    tabs, body);
}

function row(message) {
  const button = element("button", { onclick: () => read(message) },
    element("strong", { textContent: message.subject || "(no subject)" }),
    element("span", { textContent: message.to }),
    element("time", { textContent: new Date(message.received_at).toLocaleTimeString() }));
  button.dataset.id = message.id;
  button.setAttribute("aria-current", String(message.id === selected));
  return element("li", {}, button);
}

async function refresh() {
  const query = new URLSearchParams({ limit: "100" });
  if (to.value.trim()) query.set("to", to.value.trim());
  try {
    const answer = await fetch(`/mailbox/messages?${query}`);
    const { data } = await answer.json();
    const ids = data.map((message) => message.id).join();
    // Rebuilding an unchanged list would take the keyboard's focus away.
    if (ids === shown && data.length) return;
    shown = ids;
    const empty = element("li", { className: "hint", textContent: "No mails yet." });
    list.replaceChildren(...(data.length ? data.map(row) : [empty]));
  } catch {
    shown = "";
    list.replaceChildren(element("li", { className: "hint", textContent: "The sandbox does not answer." }));
  }
}

document.getElementById("clear").addEventListener("click", async () => {
  await fetch("/mailbox/messages", { method: "DELETE" });
  reader.replaceChildren();
  await refresh();
});
to.form.addEventListener("submit", (event) => event.preventDefault());
to.addEventListener("input", refresh);
setInterval(refresh, REFRESH_MS);
refresh();
