/* A stand-in for Stripe.js, served by the sandbox. No real money moves. */
(function () {
  "use strict";
  var mood = {{ mood|tojson }};
  var base = document.currentScript.src.replace(/\/stripe\.js.*$/, "");

  function go(options) {
    var id = String((options || {}).sessionId);
    return fetch(base + "/stripe.js/sessions/" + encodeURIComponent(id)).then(function (answer) {
      if (!answer.ok) {
        return { error: { type: "invalid_request_error", message: "No such checkout session: " + id } };
      }
      window.location.assign(base + "/pay/" + encodeURIComponent(id));
      return new Promise(function () {});
    });
  }

  function redirectToCheckout(options) {
    if (mood === "throws") {
      var error = new Error("stripe.redirectToCheckout is no longer supported in this version of Stripe.js.");
      error.name = "IntegrationError";
      throw error;
    }
    if (mood === "never") {
      return new Promise(function () {});
    }
    if (mood === "error") {
      return Promise.resolve({ error: { type: "api_error", message: "The browser refused to go there." } });
    }
    return go(options);
  }

  window.Stripe = function Stripe(key) {
    if (!/^pk_test_/.test(String(key))) {
      throw new Error("Please call Stripe() with your publishable key. You used an empty string or another key.");
    }
    return mood === "absent" ? {} : { redirectToCheckout: redirectToCheckout };
  };
  window.Stripe.version = "sandbox";
})();
