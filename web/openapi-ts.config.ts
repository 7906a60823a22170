import { defineConfig } from '@hey-api/openapi-ts';

export default defineConfig({
  input: '../.cache/openapi.json',
  output: { path: 'src/lib/api/generated', clean: true },
  plugins: ['@hey-api/typescript'],
});
