// Reads openapi.json and writes api/. Imports in the generated files include file extensions.
export default {
  input: 'openapi.json',
  output: { path: 'api', importFileExtension: '.ts' },
};
