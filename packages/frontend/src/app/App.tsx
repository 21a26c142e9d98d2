import { lazy, Suspense, useCallback, useState } from 'react'
import { TextProvider, useText } from '@/components/chat/i18n/TextContext'
import { getServerInfo } from '@/index'
import type { ChatScreenProps } from './screens/ChatScreen'
import { Preferences, type PreferencesProps } from './screens/Preferences'
import { SignIn } from './screens/SignIn'
import { SERVER } from './server'
import type { Session } from './session'
import { useLocale } from './state/useLocale'
import { useResource } from './state/useResource'
import { useSession } from './state/useSession'
import { useTheme } from './state/useTheme'

/** Apart from the sign-in, which should be there at once. */
const ChatScreen = lazy(() => import('./screens/ChatScreen'))

export function App() {
  const [locale, onLocale] = useLocale()
  const [theme, onTheme] = useTheme()
  return (
    <TextProvider locale={locale}>
      <Entrance locale={locale} onLocale={onLocale} theme={theme} onTheme={onTheme} />
    </TextProvider>
  )
}

function Entrance(settings: PreferencesProps) {
  const { t } = useText()
  const { session, signIn, signOut } = useSession()
  const [ended, setEnded] = useState(false)
  const preferences = <Preferences {...settings} />
  const enter = (next: Session) => {
    setEnded(false)
    signIn(next)
  }
  const endSession = useCallback(() => {
    setEnded(true)
    signOut()
  }, [signOut])

  if (!session) {
    return (
      <SignIn onSignIn={enter} notice={ended ? t.sessionEnded : null} preferences={preferences} />
    )
  }
  return (
    <SignedIn
      key={session.userId}
      session={session}
      onSignOut={signOut}
      onSessionEnded={endSession}
      preferences={preferences}
    />
  )
}

function SignedIn(props: Omit<ChatScreenProps, 'contentLimitBytes' | 'showsPrompts' | 'cards'>) {
  const { t } = useText()
  const loadInfo = useCallback(() => getServerInfo({ url: SERVER }), [])
  const { resource: info } = useResource(loadInfo)
  return (
    <Suspense fallback={<p className="p-6 text-muted">{t.loading}</p>}>
      <ChatScreen
        {...props}
        contentLimitBytes={info.data?.contentLimitBytes}
        showsPrompts={info.data?.prompts ?? false}
        cards={info.data?.cards ?? 'nobody'}
      />
    </Suspense>
  )
}
