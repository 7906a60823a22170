import adapter from '@sveltejs/adapter-static';
import { sveltekit } from '@sveltejs/kit/vite';
import tailwindcss from '@tailwindcss/vite';
import { svelteTesting } from '@testing-library/svelte/vite';
import { defineConfig } from 'vitest/config';

const port = Number(process.env.WEB_PORT ?? 5173);
// Only in development: Vite's client opens a WebSocket directly to Vite, not through the gateway. When Vite stops, the
// client polls for it in a worker that it creates from a blob.
const isBuild = process.env.NODE_ENV === 'production';
const forVite = {
  connect: isBuild ? [] : [`ws://127.0.0.1:${port}` as const],
  worker: isBuild ? [] : ['blob:' as const],
};

export default defineConfig({
  cacheDir: process.env.VITE_CACHE ?? 'node_modules/.vite',
  plugins: [
    tailwindcss(),
    sveltekit({
      adapter: adapter({ fallback: 'fallback.html', precompress: true }),
      csp: {
        mode: 'hash',
        directives: {
          'default-src': ['none'],
          'script-src': ['self'],
          'style-src': ['self'],
          // The hash of the only style attribute: that of SvelteKit's announcer for screen readers.
          'style-src-attr': ['unsafe-hashes', 'sha256-S8qMpvofolR8Mpjy4kQvEm7m1q8clzU4dfDH0AmvZjo='],
          'img-src': ['self', 'data:'],
          'font-src': ['self'],
          'connect-src': ['self', ...forVite.connect],
          'manifest-src': ['self'],
          'worker-src': ['self', ...forVite.worker],
          'form-action': ['none'],
          'base-uri': ['self'],
        },
      },
    }),
    svelteTesting(),
  ],
  server: {
    host: '127.0.0.1',
    port,
    strictPort: true,
    hmr: { host: '127.0.0.1', clientPort: port },
  },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.test.ts'],
    setupFiles: ['src/lib/testing/setup.ts'],
    restoreMocks: true,
  },
});
