// One dialog for everything that is asked about before it is done.

import { byId, h, say } from "./dom.js";

/**
 * Asks, and does it while the dialog is open: `act` gets the form's data, and what it throws is shown there.
 * Gives what `act` gave, null where it was cancelled.
 */
export function ask({ title, body, yes, danger = false, act }) {
  const dialog = byId("dialog");
  const form = byId("dialog-form");
  const confirm = byId("dialog-yes");
  say(byId("dialog-title"), title);
  say(byId("dialog-error"), "");
  byId("dialog-body").replaceChildren(...body);
  confirm.textContent = yes;
  confirm.classList.toggle("danger", danger);
  confirm.disabled = false;
  return new Promise((resolve) => {
    let result = null;
    form.onsubmit = async (event) => {
      event.preventDefault();
      confirm.disabled = true;
      try {
        result = await act(new FormData(form));
        dialog.close();
      } catch (error) {
        say(byId("dialog-error"), error.message);
        confirm.disabled = false;
      }
    };
    byId("dialog-no").onclick = () => dialog.close();
    dialog.onclose = () => resolve(result);
    dialog.showModal();
  });
}

export const line = (text) => h("p", {}, text);

export function field(label, control, hint) {
  return h("label", { class: "field" }, label, control, hint ? h("span", { class: "quiet" }, hint) : null);
}

export function tick(name, label) {
  return h("label", { class: "check" }, h("input", { type: "checkbox", name }), ` ${label}`);
}
