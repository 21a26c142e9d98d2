/** Who is to answer a message in a room with several characters: whom it names, else whose turn it is. As the server has it. */
import type { ChatMessage } from '../../types/socket'

export interface Named {
  id: string
  name: string
}

const WORD = /[\p{L}\p{N}_]/u
const LATIN_END = /[\x20-\x7e]$/

/** The id of whom the text names first as `@name` or `@id`; of several names that fit there, the longest. */
export function mentioned(text: string, characters: readonly Named[]): string | undefined {
  const lower = text.toLowerCase()
  for (let at = lower.indexOf('@'); at !== -1; at = lower.indexOf('@', at + 1)) {
    const before = lower[at - 1]
    if (before === '@' || (before !== undefined && WORD.test(before))) continue
    const fitting = characters
      .flatMap(({ id, name }) => [name, id].map((called) => ({ id, called: called.toLowerCase() })))
      .filter(({ called }) => called !== '' && isCalled(lower, at + 1, called))
    const longest = fitting.sort((one, other) => other.called.length - one.called.length)[0]
    if (longest) return longest.id
  }
  return undefined
}

/** A name in Latin letters ends where the word does; behind another one a particle may follow. */
function isCalled(text: string, at: number, called: string): boolean {
  if (!text.startsWith(called, at)) return false
  const after = text[at + called.length]
  return !LATIN_END.test(called) || after === undefined || !WORD.test(after)
}

/** Who is to answer a text that is about to be sent; undefined where there is nobody to choose from. */
export function addressee(
  text: string,
  characters: readonly Named[],
  conversation: readonly Pick<ChatMessage, 'characterId'>[],
): string | undefined {
  const named = mentioned(text, characters)
  if (named !== undefined || characters.length === 0) return named
  // Questions name whom they were put to, so that those that wait count, too.
  const last = conversation.findLast(({ characterId }) => characterId !== undefined)?.characterId
  const place = characters.findIndex(({ id }) => id === last)
  return characters[(place + 1) % characters.length]?.id
}
