// Light or dark: what the system says, until the person says otherwise. `theme-boot.js` puts a kept choice in force before the page is drawn.

const STORE = "signalbox-theme";
const root = document.documentElement;

/** Whether the page is dark now. */
export function isDark() {
  return root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

/** Goes to the other theme and keeps it. */
export function toggleTheme() {
  const theme = isDark() ? "light" : "dark";
  root.dataset.theme = theme;
  try {
    localStorage.setItem(STORE, theme);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}
