import type { ChatMessage } from '@/index'
import { authorOf, type People } from '../common/people'
import { useText } from '../i18n/TextContext'
import { spoken } from '../messages/announce'

/** Reads whole messages to people who listen; the text that streams in would be noise. */
export function LiveRegion({ news, people }: { news: readonly ChatMessage[]; people: People }) {
  const { t } = useText()
  return (
    <div aria-live="polite" className="sr-only">
      {news.map((message) => (
        <p key={message.id}>
          {t.answered(authorOf(message, people, t).name, spoken(message.content))}
        </p>
      ))}
    </div>
  )
}
