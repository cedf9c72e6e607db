/** Pure: breaks a line at spaces; what follows the first line is indented. */
export function wrap(text: string, width: number, indent = '  '): string {
  const lines: string[] = [];
  const words = text.split(' ');
  let line = words.shift() ?? '';
  for (const word of words) {
    if (line.trim() !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = `${indent}${word}`;
    } else line = `${line} ${word}`;
  }
  return [...lines, line].join('\n');
}
