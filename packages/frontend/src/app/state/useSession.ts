import { useCallback, useEffect, useState } from 'react'
import { parseSession, type Session } from '../session'
import { readStored, STORED, writeStored } from '../storage'

/** Who is signed in; kept over reloads, and the same in every tab. */
export function useSession() {
  const [session, setSession] = useState(() => parseSession(readStored(STORED.session)))

  useEffect(() => {
    const onStorage = (event: StorageEvent) => {
      if (event.key === STORED.session || event.key === null) {
        setSession(parseSession(readStored(STORED.session)))
      }
    }
    window.addEventListener('storage', onStorage)
    return () => window.removeEventListener('storage', onStorage)
  }, [])

  const signIn = useCallback((next: Session) => {
    writeStored(STORED.session, JSON.stringify(next))
    setSession(next)
  }, [])
  const signOut = useCallback(() => {
    writeStored(STORED.session, null)
    setSession(null)
  }, [])
  return { session, signIn, signOut }
}
