// Picking a variant changes price, stock, quantity and picture; pressing a small picture makes it the large one.
const price = document.querySelector(".price.large");
const gallery = document.querySelector(".gallery");

function showLarge(tile) {
  const current = gallery.firstElementChild;
  if (!tile || tile === current) return;
  const hadFocus = tile.contains(document.activeElement);
  current.querySelector("img").sizes = gallery.dataset.small;
  tile.querySelector("img").sizes = gallery.dataset.large;
  gallery.prepend(tile);
  if (hadFocus) tile.focus();
}

function showQuantity(form, choice) {
  const input = form.elements.quantity;
  if (!input) return;
  const recurring = "recurring" in choice.dataset;
  input.closest(".quantity").hidden = recurring;
  input.disabled = recurring;
  input.max = Math.max(1, Number(choice.dataset.most));
  if (Number(input.value) > Number(input.max)) input.value = input.max;
}

function showButton(form, choice) {
  const link = form.querySelector("[data-sign-in].button");
  const button = form.querySelector("button");
  if (link && !choice.dataset.signIn) location.assign(choice.dataset.url); // this one needs no account
  else if (link) link.href = choice.dataset.signIn;
  else if (button) button.textContent = choice.dataset.button;
}

function choose(form, choice) {
  const stock = form.querySelector(".stock");
  const trial = form.querySelector(".trial");
  price.textContent = choice.dataset.price;
  stock.textContent = choice.dataset.stock;
  stock.dataset.availability = choice.dataset.availability;
  trial.textContent = choice.dataset.trial;
  trial.hidden = !choice.dataset.trial;
  form.querySelector("[role=alert]").textContent = "";
  showQuantity(form, choice);
  showButton(form, choice);
  if (gallery) showLarge([...gallery.children].find((tile) => tile.dataset.sku === choice.value));
}

// The address keeps the choice, for whoever comes back from paying, reloads or shares it.
function remember(form) {
  const address = new URL(location);
  const sku = form.querySelector("input[type=radio]:checked")?.value;
  const quantity = form.elements.quantity;
  if (sku) address.searchParams.set("sku", sku);
  if (quantity && !quantity.disabled && quantity.value > 1) address.searchParams.set("quantity", quantity.value);
  else address.searchParams.delete("quantity");
  history.replaceState(null, "", address);
}

for (const form of document.querySelectorAll("form.buy")) {
  form.addEventListener("change", (event) => {
    if (event.target.name === "sku") choose(form, event.target);
    if (gallery) remember(form);
  });
  const picked = form.querySelector("[name=sku]:checked"); // a browser that restores forms may have picked another
  if (picked && !picked.defaultChecked) choose(form, picked);
}

gallery?.addEventListener("click", (event) => {
  const tile = event.target.closest("a");
  if (!tile || tile === gallery.firstElementChild || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  showLarge(tile);
});
