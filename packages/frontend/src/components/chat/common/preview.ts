const PREVIEW_MAX = 120

/** The first line of a message without its marks, for places with room for one line. */
export function firstLine(text: string): string {
  const line = text.split('\n').find((each) => plain(each) !== '')
  return plain(line ?? '').slice(0, PREVIEW_MAX)
}

function plain(line: string): string {
  return line
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/^[\s>#*+-]+/, '')
    .replace(/[`*_~]{1,3}/g, '')
    .trim()
}
