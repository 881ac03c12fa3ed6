/**
 * Arguments with which Chromium asks nobody for anything but what it is sent to, and runs as root in a container: for
 * the pictures and for the tests of the page.
 */
export const quietChromium: readonly string[] = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
];
