// Asks whether the payment is confirmed: every two seconds at first, then less often, for about a minute.
const status = document.querySelector("[data-status-url]");
const PATIENCE = 60000;

const after = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function stillOpen() {
  try {
    const response = await fetch(status.dataset.statusUrl, {
      headers: { Accept: "application/json" },
      signal: AbortSignal.timeout(8000),
    });
    if (!response.ok) return true;
    return (await response.json()).state === "open";
  } catch {
    return true; // a lost connection says nothing about the payment
  }
}

async function follow() {
  const started = Date.now();
  for (let pause = 2000; Date.now() - started < PATIENCE; pause = Math.min(pause * 1.3, 10000)) {
    await after(pause);
    if (!(await stillOpen())) {
      location.reload();
      return;
    }
  }
  status.querySelector(".waiting").hidden = true;
  status.querySelector(".late").hidden = false;
}

follow();
