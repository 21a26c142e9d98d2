import type { ChatMessage } from '@/index'

/** Longer texts are cut when read aloud: the whole stands in the list. */
const SPOKEN_MAX = 600

/**
 * What a screen reader is told after a change: messages by others that have become whole and that
 * `known` did not hold. History that was loaded above is not news, so only what follows counts.
 */
export function newlyWhole(
  messages: readonly ChatMessage[],
  known: ReadonlySet<string>,
  newestKnownSeq: number,
  userId: string,
): ChatMessage[] {
  return messages.filter(
    (message) =>
      message.state !== 'streaming' &&
      message.senderId !== userId &&
      message.status !== 'pending' &&
      message.status !== 'failed' &&
      message.seq > newestKnownSeq &&
      !known.has(message.id),
  )
}

export function spoken(text: string): string {
  const plain = text
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[`*_~#>|]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  return plain.length > SPOKEN_MAX ? `${plain.slice(0, SPOKEN_MAX)} …` : plain
}
