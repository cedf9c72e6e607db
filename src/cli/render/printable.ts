/**
 * Pure: text of a stranger's document for a terminal or a CI log. Control characters (escape sequences, line breaks that
 * would start a workflow command) and marks that turn the reading direction round are shown as `�`.
 */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what has to go
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}
