import { type People, personName } from '../common/people'
import { useText } from '../i18n/TextContext'

/** Who types; of one height with and without a name, so that the conversation stays where it is. */
export function TypingLine({
  people,
  typingUsers,
}: {
  people: People
  typingUsers: readonly string[]
}) {
  const { t } = useText()
  const names = typingUsers.map((userId) => personName(people, userId, t))
  return (
    <p aria-live="polite" className="mt-2 min-h-6 truncate text-muted text-sm">
      {names.length > 0 && t.typing(names)}
    </p>
  )
}
