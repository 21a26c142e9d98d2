import type { Unsubscribe } from '../../store'

/** A place in the queue of those who want to do the same: one at a time has the turn. */
export interface Turn {
  /** Gives up the turn, or the place in the queue. */
  release: Unsubscribe
  /** Takes the turn from whoever has it and does nothing with it. */
  insist(): void
}

export interface TurnHandlers {
  onTurn: () => void
  /** Somebody insisted; one is in the queue again. */
  onLost: () => void
}

export interface Turns {
  take(name: string, handlers: TurnHandlers): Turn
  /** Whether nobody has the turn. */
  isFree(name: string): Promise<boolean>
}

interface Waiting extends TurnHandlers {
  isFirst: boolean
}

/** Among those of one page. Where nobody else is there, the turn comes at once. */
export function localTurns(): Turns {
  const queues = new Map<string, Waiting[]>()
  const lead = (queue: Waiting[]) => {
    const [first] = queue
    if (!first || first.isFirst) return
    first.isFirst = true
    first.onTurn()
  }
  return {
    isFree: async (name) => (queues.get(name)?.length ?? 0) === 0,
    take: (name, handlers) => {
      const queue = queues.get(name) ?? []
      queues.set(name, queue)
      const own: Waiting = { ...handlers, isFirst: false }
      queue.push(own)
      lead(queue)
      return {
        release: () => {
          const place = queue.indexOf(own)
          if (place >= 0) queue.splice(place, 1)
          if (queue.length > 0) lead(queue)
          else if (queues.get(name) === queue) queues.delete(name)
        },
        insist: () => {
          const [first] = queue
          if (!first || first === own || !queue.includes(own)) return
          queue.splice(queue.indexOf(own), 1)
          queue.unshift(own)
          first.isFirst = false
          first.onLost()
          lead(queue)
        },
      }
    },
  }
}
