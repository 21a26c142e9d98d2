import { useCallback, useEffect } from 'react'
import { useAttention } from '@/components/chat/common/attention'
import { listCharacters, listRooms } from '@/index'
import { useResource } from './useResource'

/**
 * What the sidebar lists. The server tells only those in a room about it, so the list is fetched
 * again when the person comes back to the page and when the connection does.
 */
export function useChatLists(token: string, isConnected: boolean) {
  const attention = useAttention()
  const loadCharacters = useCallback(
    (signal: AbortSignal) => listCharacters({ token, signal }),
    [token],
  )
  const loadRooms = useCallback((signal: AbortSignal) => listRooms({ token, signal }), [token])
  const [characters, reloadCharacters] = useResource(loadCharacters)
  const [rooms, reloadRooms] = useResource(loadRooms)

  useEffect(() => {
    if (attention && isConnected) reloadRooms()
  }, [attention, isConnected, reloadRooms])

  const charactersFailed = characters.state === 'failed'
  useEffect(() => {
    if (charactersFailed && isConnected) reloadCharacters()
  }, [charactersFailed, isConnected, reloadCharacters])

  return { characters, rooms, reloadCharacters, reloadRooms }
}
