import type { SearchHit } from '@/index'

export interface Part {
  /** Where it begins in the snippet, in Unicode code points. */
  start: number
  text: string
  isMatch: boolean
}

/** A snippet in pieces, those that were looked for apart; with a mark where text before it is left out. */
export function partsOf({ snippet, offset, matches }: SearchHit): Part[] {
  // The places are counted in code points, and a string in JavaScript is not.
  const letters = [...snippet]
  const parts: Part[] = []
  let place = 0
  const take = (end: number, isMatch: boolean) => {
    const text = letters.slice(place, end).join('')
    if (text !== '') parts.push({ start: place, text, isMatch })
    place = Math.max(place, end)
  }
  for (const { start, end } of matches) {
    take(start, false)
    take(end, true)
  }
  take(letters.length, false)
  return offset > 0 ? [{ start: -1, text: '… ', isMatch: false }, ...parts] : parts
}
