import adapter from '@sveltejs/adapter-static';
import { sveltekit } from '@sveltejs/kit/vite';
import tailwindcss from '@tailwindcss/vite';
import { svelteTesting } from '@testing-library/svelte/vite';
import { defineConfig } from 'vitest/config';

// In development alone: when the server has gone, Vite's client looks out for it in a worker that it makes of a blob.
const forVite = process.env.NODE_ENV === 'production' ? [] : ['blob:' as const];

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
          // The style of what Kit has screen readers say after a navigation: the only one in an attribute.
          'style-src-attr': ['unsafe-hashes', 'sha256-S8qMpvofolR8Mpjy4kQvEm7m1q8clzU4dfDH0AmvZjo='],
          'img-src': ['self', 'data:'],
          'font-src': ['self'],
          'connect-src': ['self'],
          'manifest-src': ['self'],
          'worker-src': ['self', ...forVite],
          'form-action': ['none'],
          'base-uri': ['self'],
        },
      },
    }),
    svelteTesting(),
  ],
  // The page is opened at the gateway's address, which passes Vite's WebSocket on.
  server: {
    host: '127.0.0.1',
    port: Number(process.env.WEB_PORT ?? 5173),
    strictPort: true,
  },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.test.ts'],
    setupFiles: ['src/lib/testing/setup.ts'],
    restoreMocks: true,
  },
});
