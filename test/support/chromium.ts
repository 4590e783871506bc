import { type Browser, chromium, type Page } from 'playwright-core';

/** A real browser without a window. Every name below `example` leads it to this machine. */
export function startChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    // As root Chromium has no sandbox of its own; containers often have too little shared memory.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--host-resolver-rules=MAP *.example 127.0.0.1'],
  });
}

/** Opens the authorize page in a tab, as its own user, and presses a button of it. */
export async function decide(page: Page, url: string, button: 'Grant access' | 'Deny'): Promise<void> {
  await page.goto(url);
  await page.getByRole('button', { name: button }).click();
}
