import type { StoredPosition } from '../chat/actions'
import type { Unsubscribe } from '../store'
import type { OutboxEntry } from './store'

/** What those who share an outbox tell each other. */
export type OutboxNews =
  /** A message is kept, or is kept in another state. */
  | { type: 'put'; entry: OutboxEntry }
  /** It is not kept any more: it is stored, or was given up. */
  | { type: 'gone'; roomId: string; id: string; stored?: StoredPosition }
  /** Whoever has the turn is at it, and should be left alone for so long. */
  | { type: 'busy'; roomId: string; ms: number }

/** One end of a line on which everybody hears all others. */
export interface NewsLine<T = OutboxNews> {
  tell(news: T): void
  close(): void
}

export type OpenLine<T = OutboxNews> = (listen: (news: T) => void) => NewsLine<T>

export function roomOf(news: OutboxNews): string {
  return news.type === 'put' ? news.entry.message.roomId : news.roomId
}

/** Among those of one page. */
export function localLine<T = OutboxNews>(): OpenLine<T> {
  const ends = new Set<(news: T) => void>()
  return (listen) => {
    const hear = (news: T) => listen(news)
    ends.add(hear)
    return {
      tell: (news) => {
        for (const end of [...ends]) if (end !== hear) end(news)
      },
      close: () => {
        ends.delete(hear)
      },
    }
  }
}

/** Among all pages of a browser; one that is too old for it, or forbids it, is silent. */
export function tabLine<T = OutboxNews>(name: string): OpenLine<T> {
  return (listen) => {
    const channel = openChannel(name)
    let isOpen = channel !== null
    if (channel) channel.onmessage = ({ data }: MessageEvent<T>) => listen(data)
    return {
      tell: (news) => {
        if (isOpen) quietly(() => channel?.postMessage(news))
      },
      close: () => {
        isOpen = false
        channel?.close()
      },
    }
  }
}

function openChannel(name: string): BroadcastChannel | null {
  try {
    return new BroadcastChannel(name)
  } catch {
    return null
  }
}

/** What cannot be cloned is in no other tab either. */
function quietly(action: Unsubscribe): void {
  try {
    action()
  } catch {
    // Nobody hears it; the others look at what is kept when their turn comes.
  }
}
