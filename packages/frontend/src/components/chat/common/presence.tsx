import { createContext, type ReactNode, use } from 'react'
import { PresenceDot, type ShownStatus } from '@/index'
import { useText } from '../i18n/TextContext'
import type { Author } from './people'

/** How somebody is shown; `undefined` of those of whom nothing is known. */
export type StatusOf = (author: Pick<Author, 'id' | 'kind'>) => ShownStatus | undefined

const StatusContext = createContext<StatusOf>(() => undefined)

/** Apart from the messages, which need not be drawn anew when somebody comes or goes. */
export function StatusProvider({
  statusOf,
  children,
}: {
  statusOf: StatusOf
  children: ReactNode
}) {
  return <StatusContext value={statusOf}>{children}</StatusContext>
}

/** A dot beside a name: whether who wrote that is there now. */
export function AuthorDot({ author }: { author: Pick<Author, 'id' | 'kind'> }) {
  const status = use(StatusContext)(author)
  const { locale } = useText()
  return status && author.kind !== 'self' ? <PresenceDot status={status} locale={locale} /> : null
}
