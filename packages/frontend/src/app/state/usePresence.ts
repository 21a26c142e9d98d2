import { useEffect } from 'react'
import { useVisible } from '@/components/chat/common/attention'
import type { ConnectedStatus } from '@/index'

/** Shows the person as away while the page cannot be seen. */
export function usePresence(
  isInRoom: boolean,
  setPresence: (status: ConnectedStatus) => void,
): void {
  const status: ConnectedStatus = useVisible() ? 'online' : 'away'
  useEffect(() => {
    if (!isInRoom) return
    setPresence(status)
  }, [isInRoom, status, setPresence])
}
