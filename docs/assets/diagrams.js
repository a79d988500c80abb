// Draws the mermaid blocks of a page in its light or dark dress; without JavaScript they stay readable as text.
const dress = document.documentElement.getAttribute("data-bs-theme");
const dark = dress === "dark" || (dress !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
mermaid.initialize({ startOnLoad: true, securityLevel: "strict", theme: dark ? "dark" : "neutral" });
