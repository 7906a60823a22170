// Reads openapi.json and writes api/, whose imports name files with their extensions.
export default {
  input: 'openapi.json',
  output: { path: 'api', importFileExtension: '.ts' },
};
