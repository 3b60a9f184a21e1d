package redact

import (
	"strings"
	"testing"
)

func TestRule(t *testing.T) {
	tests := []struct {
		want  rule
		names string // with the name it stands in before a slash
	}{
		{rule{kind: credential}, `token accessToken access_token authtoken X-Gitlab-Token txSecret client_secret apiKey api_key apikey
			APIKey X-Api-Key password userPassword private_key session_id Session credentials credentials/secret card/authorization_code aws_access_key_id`},
		{rule{plural: credential}, "tokens max_tokens secrets"},
		{rule{kind: personal}, `email eMail user.email contactEmail email_address phone phoneNumber first_name firstName fullName full_name
			display_name alert_creator_nickname customer_name buyerName sender/name committer/name billing_details/name address/line1
			card/number phone/number account_holder_name individual_name holder/name receipt_url hosted_invoice_url
			createdBy/first primaryCustomer/last previous_attributes/name card/last4 DeviceFriendlyName
			address city zip postal_code ClientIP user_ip ip_address avatar_url picture profile/image_72 MemberList/name from/name created_by/name global_name participant/name`},
		{rule{kind: id}, `user_id userId UserID userid openid user_openid union_id From_Account Operator_Account Owner_Account
			username user_name login handle user customer sender/id user/id MemberList/id creator_id alert_creator_user_id
			account_id account/id merged_by_user X-User-Id triggering_actor/id
			created_by run_updated_by canceledBy sender/uuid actor/slug user_uuid sender/node_id payer_id host_id workerId customer_code initiator
			event/user_name event/broadcaster_user_name event/username wa_id vpa channel_slug participant/identity`},
		{rule{kind: birth}, "birthday birth_date dateOfBirth dob"},
		{rule{fixed: true}, "event event_name event_id EventType type account_holder_type token_type user_type status created_at EventTime Sign X-Hub-Signature X-GitHub-Event session_state"},
		{rule{kind: reach}, "from To headers/to context/from"},
		{rule{kind: spot}, "location"},
		{rule{kind: link}, "user/url by/permalink user/html_url user/image_url"},
		{rule{kind: id, vague: true}, `uid UniqueID unique_id`},
		{rule{}, `id name event/id data/id object/name repository/name repository/full_name head_repository/full_name price/nickname repo/full_name repository/id branch/name file_name
			fileName template_name RoomName room_id appname app/name SdkAppid app_id team_id shop_id client_key tts_notification_id delivery_id
			number invoice/number pull_request/number issue_number card/network
			X-GitHub-Delivery Idempotency-Key I-Twilio-Idempotency-Token User-Agent MessageSid title text node shipment_id member_count recipe username_set tokenizer zen due_by sort_by repository/node_id event/uuid data/first url repository/html_url user/followers_url`},
	}
	p := &pass{rules: map[string]rule{}}
	for _, tt := range tests {
		for _, n := range strings.Fields(tt.names) {
			parent, name, ok := strings.Cut(n, "/")
			if !ok {
				parent, name = "", n
			}
			if got := p.rule(name, parent); got != tt.want {
				t.Errorf("%s: %+v, want %+v (words %q)", n, got, tt.want, words(name))
			}
		}
	}
}
