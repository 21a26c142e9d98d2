import { type FormEvent, type ReactNode, useCallback, useId, useState } from 'react'
import { type Text, useText } from '@/components/chat/i18n/TextContext'
import { createGuest, getMe, getServerInfo, RestError } from '@/index'
import { SERVER } from '../server'
import { type Session, sessionOfToken } from '../session'
import { useResource } from '../state/useResource'
import { useTitle } from '../state/useTitle'
import { Failure } from './Failure'

export interface SignInProps {
  onSignIn: (session: Session) => void
  notice: string | null
  preferences: ReactNode
}

export function SignIn({ onSignIn, notice, preferences }: SignInProps) {
  const { t } = useText()
  const loadInfo = useCallback(() => getServerInfo({ url: SERVER }), [])
  const { resource: info, reload } = useResource(loadInfo)
  useTitle(t.signIn)
  return (
    <main className="grid min-h-dvh place-items-center px-4 py-8 pt-[max(2rem,env(safe-area-inset-top))]">
      <div className="w-full max-w-sm">
        <h1 className="font-bold text-3xl tracking-tight">Rejoinder</h1>
        <p className="mt-2 text-muted">{t.tagline}</p>
        {notice && (
          <p role="status" className="mt-6 rounded-xl bg-tint px-4 py-3 text-sm">
            {notice}
          </p>
        )}
        <div className="mt-8 mb-10">
          {info.state === 'failed' ? (
            <Failure error={info.error} onRetry={() => void reload()} />
          ) : info.state === 'loading' ? (
            <p className="text-muted">{t.loading}</p>
          ) : info.data.guests ? (
            <GuestForm onSignIn={onSignIn} />
          ) : (
            <TokenForm onSignIn={onSignIn} />
          )}
        </div>
        {preferences}
      </div>
    </main>
  )
}

const NAME_MAX = 64

function GuestForm({ onSignIn }: Pick<SignInProps, 'onSignIn'>) {
  const { t } = useText()
  const [name, setName] = useState('')
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)

  const submit = async () => {
    if (name.trim() === '' || busy) return
    setBusy(true)
    setProblem(null)
    try {
      onSignIn(await createGuest(name.trim(), { url: SERVER }))
    } catch (error) {
      setProblem(error instanceof RestError ? error.message : t.serverUnreachable)
      setBusy(false)
    }
  }
  return (
    <EntryForm
      label={t.nameLabel}
      hint={t.nameHint}
      action={t.start}
      value={name}
      onChange={setName}
      problem={problem}
      ready={name.trim() !== '' && !busy}
      onSubmit={() => void submit()}
      maxLength={NAME_MAX}
      autoComplete="nickname"
    />
  )
}

function TokenForm({ onSignIn }: Pick<SignInProps, 'onSignIn'>) {
  const { t } = useText()
  const [token, setToken] = useState('')
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const submit = async () => {
    const session = sessionOfToken(token)
    if (!session || busy) {
      if (!busy) setProblem(t.tokenInvalid)
      return
    }
    setBusy(true)
    setProblem(null)
    try {
      await getMe({ url: SERVER, token: session.token })
      onSignIn(session)
    } catch (error) {
      setProblem(refusalOf(error, t))
      setBusy(false)
    }
  }
  return (
    <EntryForm
      label={t.tokenLabel}
      hint={t.tokenHint}
      action={t.signIn}
      value={token}
      onChange={setToken}
      problem={problem}
      ready={token.trim() !== '' && !busy}
      onSubmit={() => void submit()}
      autoComplete="off"
    />
  )
}

/** Why a token does not sign in; a new one is not one that has ended. */
function refusalOf(error: unknown, t: Text['t']): string {
  if (!(error instanceof RestError)) return t.serverUnreachable
  return error.code === 'unauthorized' ? t.tokenRefused : t.serverSaid(error.code, error.message)
}

interface EntryFormProps {
  label: string
  hint: string
  action: string
  value: string
  onChange: (value: string) => void
  problem: string | null
  ready: boolean
  onSubmit: () => void
  maxLength?: number
  autoComplete: string
}

function EntryForm(props: EntryFormProps) {
  const id = useId()
  const onSubmit = (event: FormEvent) => {
    event.preventDefault()
    props.onSubmit()
  }
  return (
    <form onSubmit={onSubmit} className="flex flex-col">
      <label htmlFor={id} className="mb-1.5 font-medium text-sm">
        {props.label}
      </label>
      <input
        id={id}
        className="field"
        value={props.value}
        maxLength={props.maxLength}
        autoComplete={props.autoComplete}
        autoCapitalize="off"
        spellCheck={false}
        aria-describedby={`${id}-hint`}
        aria-invalid={props.problem !== null}
        onChange={(event) => props.onChange(event.target.value)}
      />
      <p id={`${id}-hint`} className="mt-1.5 text-muted text-sm">
        {props.hint}
      </p>
      {props.problem && (
        <p role="alert" className="mt-2 text-danger text-sm">
          {props.problem}
        </p>
      )}
      <button type="submit" className="button-primary mt-5" disabled={!props.ready}>
        {props.action}
      </button>
    </form>
  )
}
