// Before the first paint, so that nobody is dazzled: what the person chose, if anything.
try {
  const theme = localStorage.getItem('theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // No storage, no choice: as the system.
}
