import { useMemo, useSyncExternalStore } from 'react'
import { type ChatSocket, type LineQuality, socketTransport } from '../client'

export interface UseConnectionQualityOptions {
  /** From `useSocket`; of another socket nothing is known. */
  socket: ChatSocket | null
}

const UNKNOWN: LineQuality = { quality: 'good', loss: 0 }
const NOBODY = { subscribe: () => () => undefined, getSnapshot: () => UNKNOWN }

/** How good the line to the server is: after its heartbeats, in whichever tab the connection is. */
export function useConnectionQuality({ socket }: UseConnectionQualityOptions): LineQuality {
  const quality = useMemo(() => (socket && socketTransport(socket).quality) ?? NOBODY, [socket])
  return useSyncExternalStore(quality.subscribe, quality.getSnapshot, quality.getSnapshot)
}
