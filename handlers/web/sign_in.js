"use strict";
{
  const byKey = document.getElementById("by-key");
  const refused = document.getElementById("refused");
  const say = (sentence) => {
    refused.textContent = sentence;
    refused.hidden = false;
  };
  byKey.hidden = false;
  document.getElementById("by-code").open = false;
  byKey.addEventListener("submit", async (event) => {
    event.preventDefault();
    const rights = document.getElementById("only-read").checked ? "?rights=read" : "";
    try {
      const answer = await fetch("/api/dashboard-code" + rights, {
        method: "POST",
        headers: { "x-functions-key": document.getElementById("key").value },
        cache: "no-store",
      });
      if (answer.status === 401 || answer.status === 403) {
        say("The app does not know that key.");
      } else if (!answer.ok) {
        say("The app answered " + answer.status + ". Try again in a moment.");
      } else {
        document.getElementById("code").value = (await answer.json()).code;
        document.getElementById("sign-in").submit();
      }
    } catch {
      say("The app could not be reached, or the key holds characters that no key has.");
    }
  });
}
