import { useId } from 'react'
import type { Member } from '@/index'
import { Avatar } from '../common/Avatar'
import { Icon } from '../common/Icon'
import { useText } from '../i18n/TextContext'

const DOTS = { online: 'bg-accent', away: 'bg-warning', offline: 'bg-edge' } as const

/** Who is in the room, behind a button that says how many. */
export function MembersPopover({
  members,
  userId,
}: {
  members: readonly Member[]
  userId: string
}) {
  const { t } = useText()
  const id = useId()
  return (
    <>
      <button type="button" popoverTarget={id} className="button-quiet tabular-nums">
        <Icon name="people" />
        <span aria-hidden="true">{members.length}</span>
        <span className="sr-only">{t.memberCount(members.length)}</span>
      </button>
      <section
        id={id}
        popover="auto"
        aria-label={t.members}
        className="inset-auto top-16 right-3 m-0 max-h-[60dvh] w-64 max-w-[calc(100vw-1.5rem)] overflow-y-auto rounded-2xl border border-line bg-surface p-3 text-ink shadow-xl"
      >
        <h2 className="mb-2 px-1 font-semibold text-muted text-xs">{t.members}</h2>
        <ul className="flex flex-col gap-1">
          {members.map((member) => (
            <MemberRow key={member.userId} member={member} own={member.userId === userId} />
          ))}
        </ul>
      </section>
    </>
  )
}

function MemberRow({ member, own }: { member: Member; own: boolean }) {
  const { t } = useText()
  const name = member.name ?? t.someone
  return (
    <li className="flex items-center gap-2.5 rounded-lg px-1 py-1">
      <Avatar id={member.userId} name={name} className="size-8" />
      <span className="min-w-0 flex-1 truncate text-sm">
        {name} {own && <span className="text-muted">{t.youSuffix}</span>}
      </span>
      <span className="flex items-center gap-1.5 text-muted text-xs">
        <span aria-hidden="true" className={`size-2 rounded-full ${DOTS[member.status]}`} />
        {t[member.status]}
      </span>
    </li>
  )
}
