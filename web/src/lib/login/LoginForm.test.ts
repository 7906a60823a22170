import { screen } from '@testing-library/svelte';
import { userEvent } from '@testing-library/user-event';
import { beforeEach, expect, test, vi } from 'vitest';
import { ApiError } from '#lib/api/errors.ts';
import type { App } from '#lib/shell/app.svelte.ts';
import { Refusal } from '#lib/testing/refusal.ts';
import { anApp, renderIn } from '#lib/testing/render.ts';
import { FakeServer } from '#lib/testing/server.ts';
import LoginForm from './LoginForm.svelte';

const user = userEvent.setup();
let server: FakeServer;
let app: App;

beforeEach(() => {
  server = FakeServer.start();
  server.isSignedIn = false;
  app = anApp();
});

async function signIn(password: string): Promise<void> {
  renderIn(app, LoginForm, {});
  await user.type(screen.getByLabelText('Username'), 'ann');
  await user.type(screen.getByLabelText('Password'), `${password}{Enter}`);
}

test('a correct username and password sign in', async () => {
  await signIn('secret');
  await vi.waitFor(() => expect(app.session.state).toBe('present'));
  expect(app.session.user).toBe('ann');
});

test('a wrong password shows an error at its field and keeps the input', async () => {
  await signIn('wrong');
  const password = screen.getByLabelText<HTMLInputElement>('Password');
  await vi.waitFor(() => expect(password.getAttribute('aria-invalid')).toBe('true'));
  const description = document.getElementById(password.getAttribute('aria-describedby') ?? '');
  expect(description?.textContent).toBe('Incorrect username or password.');
  expect([screen.getByLabelText<HTMLInputElement>('Username').value, password.value]).toEqual(['ann', 'wrong']);
  expect(screen.queryByRole('alert')).toBeNull();
  expect(app.session.state).not.toBe('present');
});

test('after a refusal, a username with a blank around it is pointed out', async () => {
  renderIn(app, LoginForm, {});
  await user.type(screen.getByLabelText('Username'), 'ann ');
  await user.type(screen.getByLabelText('Password'), 'wrong{Enter}');
  expect(await screen.findByText('This username starts or ends with a blank.')).toBeTruthy();
  await user.type(screen.getByLabelText('Username'), '{Backspace}');
  expect(screen.queryByText('This username starts or ends with a blank.')).toBeNull();
});

test('fields that are filled in without an event are sent', async () => {
  renderIn(app, LoginForm, {});
  screen.getByLabelText<HTMLInputElement>('Username').value = 'bob';
  screen.getByLabelText<HTMLInputElement>('Password').value = 'secret';
  await user.click(screen.getByRole('button', { name: 'Sign in' }));
  await vi.waitFor(() => expect(app.session.user).toBe('bob'));
});

test('after too many attempts, the error says when to try again', async () => {
  server.refuse('GET', new Refusal(429, 'TOO_MANY', { request_id: 'abc' }, { 'Retry-After': '42' }));
  await signIn('secret');
  const alert = await screen.findByRole('alert');
  expect(alert.textContent).toContain('Try again in 42 seconds.');
  expect(alert.textContent).toContain('abc');
});

test('a session that does not start in time is not reported as a wrong password', async () => {
  vi.spyOn(app.session, 'logIn').mockRejectedValue(new ApiError(0, 'SESSION_NOT_READY', ''));
  await signIn('secret');
  const alert = await screen.findByRole('alert');
  expect(alert.textContent).toContain('Your username and password are correct');
  expect(screen.getByLabelText('Password').getAttribute('aria-invalid')).toBe('false');
});

test('the form is disabled during a request, and can be used again after a failure', async () => {
  const held = server.holdResponse('GET');
  await signIn('wrong');
  const button = screen.getByRole<HTMLButtonElement>('button', { name: 'Signing in…' });
  expect(button.disabled).toBe(true);
  held.release();
  await vi.waitFor(() => expect(button.disabled).toBe(false));
  await user.clear(screen.getByLabelText('Password'));
  await user.type(screen.getByLabelText('Password'), 'secret{Enter}');
  await vi.waitFor(() => expect(app.session.state).toBe('present'));
});

test('an empty form is not sent', async () => {
  renderIn(app, LoginForm, {});
  await user.click(screen.getByRole('button', { name: 'Sign in' }));
  expect(server.received).toEqual([]);
});

test('the username of the current session is filled in', async () => {
  server.isSignedIn = true;
  await app.session.load();
  renderIn(app, LoginForm, {});
  expect(screen.getByLabelText<HTMLInputElement>('Username').value).toBe('ann');
});
