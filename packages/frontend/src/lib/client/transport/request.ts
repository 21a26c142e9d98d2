import type { Clock } from '../time/clock'
import type { Channel, ClientEvent, ClientPayload, Reply } from './transport'

/** How a request ended: with an answer, or with none. */
export type Outcome<E extends ClientEvent> =
  | { type: 'replied'; reply: Reply<E> }
  | { type: 'timeout' }
  /** The channel closed before the answer came; whether the server did it is not known. */
  | { type: 'closed' }

/** Sends an event and waits for its acknowledgement. */
export function request<E extends ClientEvent>(
  channel: Channel,
  clock: Clock,
  timeoutMs: number,
  event: E,
  payload: ClientPayload<E>,
): Promise<Outcome<E>> {
  return new Promise((resolve) => {
    if (!channel.isOpen) {
      resolve({ type: 'closed' })
      return
    }
    const finish = (outcome: Outcome<E>) => {
      cancel()
      unsubscribe()
      resolve(outcome)
    }
    const cancel = clock.after(timeoutMs, () => {
      finish({ type: 'timeout' })
      channel.suspect?.()
    })
    const unsubscribe = channel.onChange((change) => {
      if (change.type === 'closed') finish({ type: 'closed' })
    })
    channel.emit(event, payload, (reply) => finish({ type: 'replied', reply }))
  })
}
