/** The limits of user text, in Unicode code points. text/unicode.test.ts compares them with the OpenAPI document. */
export const TITLE_MAX = 200;
export const DESCRIPTION_MAX = 10_000;
export const LABELS_MAX = 20;
export const LABEL_MAX = 50;
export const QUERY_MAX = 200;
