// The Buy button without a full page load. Every way out of here ends at Stripe, at an error in words, or at the plain form.
const STRIPE_PATIENCE = 2000; // a blocked or dead Stripe.js must not cost the buyer more than this
const SHOP_PATIENCE = 20000; // a little more than the server's own budget for Stripe
const LEAVING_PATIENCE = 10000; // the navigation was stopped or failed: the button must live again

const after = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

let stripeScript = null;

function fetchStripe(form) {
  const address = form.dataset.stripeJs;
  if (stripeScript || !address || !form.dataset.publishableKey) return stripeScript;
  stripeScript = new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.async = true;
    script.onload = resolve;
    script.onerror = () => reject(new Error("Stripe.js did not load"));
    document.head.append(script);
  });
  stripeScript.catch(() => {});
  return stripeScript;
}

async function askStripe(form, sessionId) {
  await fetchStripe(form);
  const answer = await window.Stripe(form.dataset.publishableKey).redirectToCheckout({ sessionId });
  if (answer?.error) throw new Error(answer.error.message);
}

async function goToCheckout(form, { sessionId, url }) {
  if (form.dataset.publishableKey && form.dataset.stripeJs) {
    try {
      await Promise.race([askStripe(form, sessionId), after(STRIPE_PATIENCE)]);
    } catch {
      // Newer builds throw, blockers leave no Stripe at all: the address works in every case.
    }
  }
  location.assign(url);
}

function post(form) {
  const headers = { Accept: "application/json" };
  const token = form.elements.csrf_token?.value;
  if (token) headers["X-CSRFToken"] = token;
  return fetch(form.action, {
    method: "POST",
    headers,
    body: new URLSearchParams(new FormData(form)),
    signal: AbortSignal.timeout(SHOP_PATIENCE),
  });
}

function setHidden(form, name, value) {
  let input = form.elements[name];
  if (!input) {
    input = document.createElement("input");
    input.type = "hidden";
    input.name = name;
    form.append(input);
  }
  input.value = value;
}

// The page may be older than the visitor's session; the server hands out the token that fits.
async function postTwiceAtMost(form) {
  const response = await post(form);
  const token = response.status === 400 && response.headers.get("X-CSRFToken");
  if (!token) return response;
  setHidden(form, "csrf_token", token);
  return post(form);
}

// One name for each intent to buy, so that the server can tell a repeat from a second purchase.
function newAttempt() {
  if (crypto.randomUUID) return crypto.randomUUID(); // only on https and localhost
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function enhance(form) {
  const button = form.querySelector("button");
  const alert = form.querySelector("[role=alert]");
  if (!button || "soldOut" in button.dataset) return;
  let words = null;

  const hold = () => {
    words = button.textContent;
    button.disabled = true;
    button.setAttribute("aria-busy", "true");
    button.textContent = form.dataset.wait;
    alert.textContent = "";
  };
  const release = () => {
    if (words !== null) button.textContent = words;
    words = null;
    button.disabled = false;
    button.removeAttribute("aria-busy");
  };
  const refuse = ({ message, url, code }) => {
    if (code === "sign_in_required" && url) {
      location.assign(url);
      setTimeout(release, LEAVING_PATIENCE);
      return;
    }
    release();
    alert.textContent = message;
    button.focus();
  };

  async function buy() {
    let answer;
    hold();
    try {
      const response = await postTwiceAtMost(form);
      answer = await response.json();
      if (!answer?.url && !answer?.error?.message) throw new Error("not an answer of ours");
    } catch {
      setTimeout(release, LEAVING_PATIENCE);
      form.submit();
      return;
    }
    if (answer.error) {
      refuse(answer.error);
      return;
    }
    await goToCheckout(form, answer);
    setTimeout(release, LEAVING_PATIENCE);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!button.disabled) buy();
  });
  form.addEventListener("change", () => setHidden(form, "attempt", newAttempt())); // another choice is another purchase
  for (const sign of ["pointerenter", "pointerdown", "focusin"]) {
    form.addEventListener(sign, () => fetchStripe(form), { once: true, passive: true });
  }
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    setHidden(form, "attempt", newAttempt());
    release();
  });
  setHidden(form, "attempt", newAttempt());
  release();
}

document.querySelectorAll("form.buy").forEach(enhance);
