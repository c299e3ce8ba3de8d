// A classic script, so that it runs before anything is drawn: a kept theme must not flash.
(() => {
  try {
    const theme = localStorage.getItem("signalbox-theme");
    if (theme === "light" || theme === "dark") {
      document.documentElement.dataset.theme = theme;
    }
  } catch {
    // Without storage the system's theme holds.
  }
})();
